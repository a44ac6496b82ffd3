"""Measurements of the cloud: `python -m iot_cloud.bench` prints a JSON line each."""
