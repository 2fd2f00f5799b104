"""The open documents, in step with the editor; its positions become spans here alone."""
