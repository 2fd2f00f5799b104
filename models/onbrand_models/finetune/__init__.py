"""Fine-tuning an encoder on published copy whose brand is known and nothing else."""
