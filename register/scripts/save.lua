#!lua
-- Keep the record of a call, unless the call has a newer epoch. An older epoch is one that came back after a loss of
-- data: it gives way. Returns 1, or 0, also when the call has ended before.
-- KEYS: call, record   ARGV: user, node, token, ms that the epoch is kept, channel of nodes, epoch, record, ms, ended
local before = redis.call('HMGET', KEYS[1], 'epoch', 'node', 'ended', 'token')
if before[1] and tonumber(before[1]) > tonumber(ARGV[6]) then
  return 0
end
if before[1] == ARGV[6] and before[3] == '1' and ARGV[9] ~= '1' then
  return 0
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[6], 'node', ARGV[2], 'token', ARGV[3], 'ended', ARGV[9])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], ARGV[7], 'PX', ARGV[8])
if before[2] and before[2] ~= ARGV[2] then
  local what = before[4] == ARGV[3] and 'moved ' or 'kick '
  redis.call('PUBLISH', ARGV[5] .. before[2], what .. ARGV[6] .. ' ' .. ARGV[1])
end
return 1
