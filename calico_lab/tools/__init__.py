"""The tools whose output the course reads, one module each: text goes in, objects and tables come out."""
