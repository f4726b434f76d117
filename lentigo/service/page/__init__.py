"""The reader's page: server-rendered, in four languages, loading nothing from elsewhere."""
