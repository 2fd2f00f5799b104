"""From a version of a document to what was found in it: settings, voices, labels, the check."""
