-- Signs a person in over and over on an existing session: an authorization
-- request with PKCE, then the token request for its code. One connection a
-- thread, so that a response belongs to the request before it.
-- Arguments: authorization path, Cookie, Authorization, token request without the code.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long sec; long nsec; } bench_timespec;
  int clock_gettime(int clock, bench_timespec *t);
]]

local monotonic, time = 1, ffi.new("bench_timespec")
local function now()
  ffi.C.clock_gettime(monotonic, time)
  return tonumber(time.sec) * 1e6 + tonumber(time.nsec) / 1e3
end

local threads = {}
function setup(thread)
  table.insert(threads, thread)
end

-- Read by done, which runs in another state: units done, failures, and how
-- many units took how many steps of 10 microseconds.
finished, failed, histogram = 0, 0, {}
local step = 10

local authorize, headers, form, code, began
function init(args)
  authorize = wrk.format("GET", args[1], { Cookie = args[2] })
  headers = { Authorization = args[3], ["Content-Type"] = "application/x-www-form-urlencoded" }
  form = args[4]
end

function request()
  if code then
    local body = form .. code
    code = nil
    return wrk.format("POST", "/oauth/token", headers, body)
  end
  began = now()
  return authorize
end

function response(status, header)
  if status == 303 or status == 302 then
    code = string.match(header["Location"] or "", "[?&]code=([^&]+)")
    if not code then
      failed = failed + 1
    end
  elseif status == 200 then
    finished = finished + 1
    local bucket = math.floor((now() - began) / step)
    histogram[bucket] = (histogram[bucket] or 0) + 1
  else
    failed = failed + 1
  end
end

local function percentile(buckets, order, total, p)
  local seen = 0
  for _, bucket in ipairs(order) do
    seen = seen + buckets[bucket]
    if seen >= total * p / 100 then
      return bucket * step
    end
  end
  return 0
end

function done(summary)
  local total, errors, buckets, order = 0, summary.errors.timeout, {}, {}
  for _, thread in ipairs(threads) do
    total = total + thread:get("finished")
    errors = errors + thread:get("failed")
    for bucket, n in pairs(thread:get("histogram")) do
      if not buckets[bucket] then
        table.insert(order, bucket)
      end
      buckets[bucket] = (buckets[bucket] or 0) + n
    end
  end
  table.sort(order)
  io.write(string.format('{"done":%d,"took":%d,"p50":%.1f,"p99":%.1f,"errors":%d}\n', total, summary.duration,
    percentile(buckets, order, total, 50), percentile(buckets, order, total, 99), errors))
end
