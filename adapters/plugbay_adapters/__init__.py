"""One module per agent framework, each named after it; none is imported until it is asked for: `from plugbay_adapters import langchain`."""
