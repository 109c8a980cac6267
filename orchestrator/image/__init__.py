"""`faultbed image build`: the image in which nodes, relay and agents run in containers."""
