"""The authorization server that clients of `/mcp` need: OAuth 2.1 for public clients, with a person's consent."""
