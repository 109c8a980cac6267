"""What runs on a host: nodes, their programs and the engines that perform them."""
