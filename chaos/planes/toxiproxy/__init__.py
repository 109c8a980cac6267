"""The Toxiproxy plane: a real Toxiproxy server (2.x) stands in every link and does its toxics to the byte streams."""
