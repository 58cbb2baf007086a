"""`make chaos`: jobs by the hundred on an emulator of their own, faults of every kind among them, and a judge."""
