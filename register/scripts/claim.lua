#!lua
-- Begin a call: a new epoch, and nothing kept of the calls before. Returns the epoch.
-- KEYS: call, record   ARGV: user, node, token, ms that the epoch is kept, channel of nodes
local now = redis.call('TIME')
local before = redis.call('HMGET', KEYS[1], 'epoch', 'node')
local epoch = math.max(tonumber(before[1] or 0) + 1, now[1] * 1000000 + now[2])
epoch = string.format('%.0f', epoch)
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'node', ARGV[2], 'token', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if before[2] and before[2] ~= ARGV[2] then
  redis.call('PUBLISH', ARGV[5] .. before[2], 'kick ' .. epoch .. ' ' .. ARGV[1])
end
return epoch
