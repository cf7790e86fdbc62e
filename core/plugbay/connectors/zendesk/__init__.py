"""What all Zendesk connectors share: credentials, the host rule, paging, and the reading of errors."""
