"""What people who build on this test with: a stage, probes and a scene."""
