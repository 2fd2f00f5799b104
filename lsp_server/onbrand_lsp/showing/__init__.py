"""From what was found to what the editor shows. Functions of their arguments, nothing else."""
