"""What multiplexers are asked, what is expected of each, and how the two compare: `faultbed probe`."""
