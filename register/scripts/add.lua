#!lua
-- Add to a sum, which is forgotten so long after its first amount. Returns the sum; 0 writes nothing.
-- KEYS: sum   ARGV: amount, ms
if ARGV[1] == '0' then
  return tonumber(redis.call('GET', KEYS[1]) or 0)
end
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return sum
