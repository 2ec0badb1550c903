#!lua
-- Take the next of evenly spaced moments. Returns the us until then; -1, and takes none, if that is too many.
-- KEYS: the last moment that was taken, in us   ARGV: us between two, the most us until then
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0) + ARGV[1], now)
if at - now > tonumber(ARGV[2]) then
  return -1
end
redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', math.ceil((at - now + ARGV[1]) / 1000) + 1)
return string.format('%.0f', at - now)
