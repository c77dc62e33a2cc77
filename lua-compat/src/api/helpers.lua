-- The globals that `require "Pktgen"` adds. `write` puts text into the script's output, `shell` raises the error
-- of the functions that would need a shell.
local pktgen, write, shell = ...
local type, tostring, pairs, error, load, format = type, tostring, pairs, error, load, string.format

gsub, gmatch, strrep, strsub = string.gsub, string.gmatch, string.rep, string.sub
strfmt, strmatch, strfind, strlen, tolower = string.format, string.match, string.find, string.len, string.lower
tinsert, tconcat = table.insert, table.concat

function tgetn(t) return #t end

function getn(t)
    if type(t) ~= "table" then return 0 end
    if #t > 0 then return #t end
    local n = 0
    for _ in pairs(t) do n = n + 1 end
    return n
end

for _, name in ipairs({ "system", "syscmd", "getPwd", "unlink" }) do
    _G[name] = function() shell(name) end
end

function d2u(path) return (string.gsub(path or "", "\\", "/")) end
function u2d(path) return (string.gsub(path or "", "/", "\\")) end

function basename(path)
    path = d2u(path)
    local folder, file = string.match(path, "^(.*)/([^/]*)$")
    if not folder then return path, "" end
    return file, folder
end

function str2tbl(text)
    local rows = {}
    for row in string.gmatch(text or "", "([^\n]*)\n") do rows[#rows + 1] = row end
    return rows
end

-- From both ends by hand: a pattern would backtrack.
function trim(text)
    local first, last = 1, #text
    while first <= last and string.find(string.sub(text, first, first), "^%s") do first = first + 1 end
    while last >= first and string.find(string.sub(text, last, last), "^%s") do last = last - 1 end
    return string.sub(text, first, last)
end

function isTrue(condition)
    if condition == nil then return 0 end
    local test, fault = load("return (" .. tostring(condition) .. ") and 1 or 0")
    if not test then error(fault, 2) end
    return test()
end

function printf(...) write(format(...)) end
function msg(text, ...) if text ~= nil then write("++ " .. format(text, ...)) end end
function errmsg(text, ...) error("errmsg: " .. format(text or "no message", ...), 2) end
function cPrintf(text, ...) write("/* " .. format(text, ...) .. " */\n") end
function comment(text) write("/* " .. (text or "") .. " */\n") end

local function shown(value)
    if type(value) == "string" then return format("%q", value) end
    if type(value) == "function" then return "()" end
    return tostring(value)
end

local function dump(rows, path, key, value, seen, indent)
    local space = string.rep(" ", indent)
    if type(value) ~= "table" or seen[value] then
        rows[#rows + 1] = format("%s[%s] = %s,\n", space, shown(key), seen[value] or shown(value))
        return
    end
    seen[value] = path
    local top = indent == 0
    rows[#rows + 1] = top and format("%s = {\n", tostring(key)) or format("%s[%s] = {\n", space, shown(key))
    for k, v in pairs(value) do
        dump(rows, format("%s[%s]", path, shown(k)), k, v, seen, indent + 2)
    end
    rows[#rows + 1] = top and "}\n" or space .. "},\n"
end

function serialize(name, value)
    local rows = {}
    dump(rows, tostring(name or "Globals"), name or "Globals", value == nil and _G or value, {}, 0)
    return table.concat(rows)
end

function prints(name, value) write(serialize(name, value)) end
function sleep(seconds) pktgen.delay(seconds * 1000) end
