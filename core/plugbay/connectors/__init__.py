"""The connectors that come with the library; others plug in by the entry-point group `plugbay.connectors`."""
