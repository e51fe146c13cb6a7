"""Pictures. Each says in its text what it shows, so that it can be compared, and read where pictures are not."""
