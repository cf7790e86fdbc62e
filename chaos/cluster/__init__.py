"""Several processes of the server on one database, killed at random under load, and held to what they promise."""
