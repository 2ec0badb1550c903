"""What people who build on this test with: a phone that calls over a real socket."""
