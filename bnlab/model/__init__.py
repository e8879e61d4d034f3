"""From a spec to Keras: the arrays it trains on and the model it trains."""
