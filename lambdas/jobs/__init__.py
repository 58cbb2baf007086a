"""What a job is: its statuses, its words, its errors. Pure Python, standard library only."""
