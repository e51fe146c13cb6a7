"""What the lessons do beyond plain commands: the steps of the guide, waits, checks, counts and their evenness."""
