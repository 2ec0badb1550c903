#!lua flags=allow-oom
-- Let a place with a persona go, unless a later life of this user has it.
-- KEYS: places, holders   ARGV: user, epoch
local holder = redis.call('HGET', KEYS[2], ARGV[1])
if holder and tonumber(holder) <= tonumber(ARGV[2]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
return 0
