"""What passes over a link, to the byte: records of it, how they are made, kept and played again."""
