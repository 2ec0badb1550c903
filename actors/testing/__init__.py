"""What people who build on this test with: a stage, probes, a scene, and a phone that calls over a real socket."""
