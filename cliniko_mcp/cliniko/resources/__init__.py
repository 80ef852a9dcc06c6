"""One module for each resource of Cliniko: its models and its operations, together, and nothing else."""
