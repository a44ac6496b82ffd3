"""Device shadows as AWS IoT Core defines them: pure document rules, a store, and what joins them."""
