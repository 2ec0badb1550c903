#!lua
-- Take a place with a persona, or keep it. Places that were not kept are let go first. Returns 1, or 0: none is left,
-- or a later life of this user has it.
-- KEYS: places (user by the ms at which it ends), holders (epoch by user)   ARGV: user, epoch, most, ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, user in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE')) do
  redis.call('ZREM', KEYS[1], user)
  redis.call('HDEL', KEYS[2], user)
end
local holder = redis.call('HGET', KEYS[2], ARGV[1])
if holder and tonumber(holder) > tonumber(ARGV[2]) then
  return 0
end
if not holder and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  return 0
end
redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, math.max(redis.call('PTTL', key), tonumber(ARGV[4])))
end
return 1
