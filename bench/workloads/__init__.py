"""What is measured of a push server; one kind of load in each file."""
