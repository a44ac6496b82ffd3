"""The IoT cloud as the Pi sees it: a shadow with a request in it, and topics for what happened."""
