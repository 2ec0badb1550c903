#!lua
-- Count one more event, if that makes at most so many in any window. Returns 1, or 0.
-- KEYS: the times of the last events, in us   ARGV: most, ms of the window
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local oldest = redis.call('LINDEX', KEYS[1], -ARGV[1])
if oldest and now - oldest < ARGV[2] * 1000 then
  return 0
end
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], -ARGV[1], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
