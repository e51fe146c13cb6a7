"""The lab's Kubernetes API server: objects, watches, validation and tables, served in process and over TLS."""
