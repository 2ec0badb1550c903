#!lua
-- Go on with a call here: a new epoch, the same token. Returns the epoch and the record, '0' and the record of a call
-- that has ended, or nothing.
-- KEYS: call, record   ARGV: user, node, token, ms that the epoch is kept, channel of nodes, ms that the record is kept
local before = redis.call('HMGET', KEYS[1], 'epoch', 'node', 'token', 'ended')
local record = redis.call('GET', KEYS[2])
if not before[1] or before[3] ~= ARGV[3] or not record then
  return nil
end
if before[4] == '1' then
  return {'0', record}
end
local now = redis.call('TIME')
local epoch = string.format('%.0f', math.max(before[1] + 1, now[1] * 1000000 + now[2]))
redis.call('HSET', KEYS[1], 'epoch', epoch, 'node', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
if before[2] ~= ARGV[2] then
  redis.call('PUBLISH', ARGV[5] .. before[2], 'moved ' .. epoch .. ' ' .. ARGV[1])
end
return {epoch, record}
