#!lua
-- Keep the youngest age that a user told, and of equal ones the one that is known longer; 0 only asks. Returns the age
-- and the ms for which it is known, or nothing.
-- KEYS: under   ARGV: under so many years, ms
local told, ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local known = tonumber(redis.call('GET', KEYS[1]))
local left = redis.call('PTTL', KEYS[1])
if told > 0 and (not known or told <= known) then
  if told == known then
    ms = math.max(ms, left)
  end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', string.format('%.0f', ms))
  return {told, ms}
end
if known then
  return {known, left}
end
return nil
