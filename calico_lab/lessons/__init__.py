"""What the lessons do beyond plain commands: prerequisites, waits, counts and their evenness."""
