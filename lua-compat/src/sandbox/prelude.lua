-- Makes Lua's libraries safe for somebody else's script. Runs once, before anything of the script's.
-- `check` holds our functions: settle, limits, pattern, size, ahead.
local check = ...
local error, getmetatable, rawget, tonumber, tostring, type = error, getmetatable, rawget, tonumber, tostring, type
local format = string.format

-- No files, no bytecode, nothing that writes to the process's own outputs.
dofile, loadfile, warn, string.dump = nil, nil, nil, nil

local load_any = load
function load(chunk, _, mode, ...)
    if mode ~= nil and mode ~= "t" and mode ~= "bt" then
        error(format("load: mode `%s` is not available: scripts are text only", tostring(mode)), 2)
    end
    return load_any(chunk, "=(load)", "t", ...)
end

-- An error that a limit raised goes on through the script's pcall.
local function settled(call)
    return function(...) return check.settle(call(...)) end
end
pcall, xpcall = settled(pcall), settled(xpcall)

-- Lua runs finalisers with its instruction counter off.
local set_any = setmetatable
function setmetatable(table, meta)
    if type(meta) == "table" and rawget(meta, "__gc") ~= nil then
        error("setmetatable: __gc is not available to scripts", 2)
    end
    return set_any(table, meta)
end

local memory_of = collectgarbage
function collectgarbage(what)
    return what == "count" and memory_of("count") or 0
end

-- These loop in C, where instructions are not counted, up to what #t says: and a metatable can say anything.
for _, name in ipairs({ "concat", "insert", "remove", "sort" }) do
    local call = table[name]
    table[name] = function(t, ...)
        if type(t) == "table" and getmetatable(t) ~= nil then
            error(format("table.%s: a table with a metatable is not available to scripts", name), 2)
        end
        check.limits()
        return call(t, ...)
    end
end
local move = table.move
function table.move(from, first, last, ...)
    if (tonumber(last) or 0) + 0.0 - (tonumber(first) or 0) > 1000000 then
        error("table.move: more than 1,000,000 values (memory limit)", 2)
    end
    check.limits()
    return move(from, first, last, ...)
end

for _, name in ipairs({ "find", "match", "gmatch", "gsub" }) do
    local call = string[name]
    string[name] = function(subject, pattern, ...)
        check.pattern(subject, pattern)
        return call(subject, pattern, ...)
    end
end
local rep = string.rep
function string.rep(text, times, between)
    local each = #tostring(text) + (between and #tostring(between) or 0)
    -- Even nothing is repeated one by one.
    check.size((each > 0 and each or 1) * 1.0 * (tonumber(times) or 0))
    return rep(text, times, between)
end

-- Delays of the script pass on its clock, even where nobody waits for them.
local now, cpu, date = os.time, os.clock, os.date
os = {
    time = function(when)
        if when ~= nil then return now(when) end
        return now() + check.ahead() // 1 | 0
    end,
    clock = function() return cpu() + check.ahead() end,
    date = function(form, when) return date(form or "%c", when or (now() + check.ahead() // 1 | 0)) end,
}

-- An import is the same every time.
math.randomseed(1)

package = { path = "./?.lua", cpath = "", loaded = {} }
