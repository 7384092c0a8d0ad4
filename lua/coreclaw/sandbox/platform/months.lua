--- The run list's calendar: months and days are those of UTC+8.

local M = {}

local SHIFT, DAY = 8 * 3600, 86400

--- Year and month, at UTC+8, of a moment in Unix seconds.
function M.of(seconds)
  local date = os.date("!*t", seconds + SHIFT)
  return date.year * 12 + date.month
end

--- Was `created` in the current month?
function M.current(created, now)
  return M.of(created) == M.of(now)
end

--- The window of the run list. Returns from, to (exclusive) in Unix seconds, or nil when the range crosses months.
-- The server adds a whole day to end_time, so that the 00:00:00 of a day stands for all of it.
function M.window(start_time, end_time)
  if end_time < start_time or M.of(start_time) ~= M.of(end_time + DAY - 1) then
    return nil
  end
  return start_time, end_time + DAY
end

return M
