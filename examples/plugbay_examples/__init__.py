"""A support assistant in each agent framework; run one with `python -m plugbay_examples.<name>_agent`."""
