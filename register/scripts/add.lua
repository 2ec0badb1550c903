#!lua
-- Add to a sum, which is forgotten so long after its first amount. Returns the sum.
-- KEYS: sum   ARGV: amount, ms
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return sum
