"""The IoT cloud on one machine: certificates, broker, shadow service, records; or AWS behind the same commands."""
