"""The formats: from a document's tree to a file, and to pieces of a notebook."""
