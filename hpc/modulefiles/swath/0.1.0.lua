-- Swath as a module of Lmod. One folder holds it, for all users: see docs/guide/cluster-admin.md.
--
--   module use /path/of/hpc/modulefiles
--   module load swath
--
-- SWATH_PREFIX, when it is set as the module is loaded, names another folder than the one below. SWATH_MODULE_PREFIX and
-- SWATH_MODULE_MIRROR remember what was loaded: unloading takes back that, whatever has become of SWATH_PREFIX and the folders.

local version = myModuleVersion()

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local unloads = mode() == "unload"
local loaded = variable("SWATH_MODULE_PREFIX")
local prefix = unloads and loaded or variable("SWATH_PREFIX") or pathJoin("/apps/swath", version)

help([[
Swath: a Jupyter kernel in Rust for geospatial deep learning, and the command `swath`.

  swath doctor                     what is missing on this machine
  swath notebooks tutorials        the tutorials, to be opened in JupyterLab
  swath submit predict ...         jobs of Slurm
]])

whatis("Name: swath")
whatis("Version: " .. version)
whatis("Description: Jupyter kernel in Rust for geospatial deep learning")

local wrong
if prefix:sub(1, 1) ~= "/" or prefix:find(":", 1, true) then
  wrong = "SWATH_PREFIX is " .. prefix .. ": it has to be an absolute path without a colon, since it goes into PATH"
elseif not isFile(pathJoin(prefix, "bin", "swath")) then
  wrong = "there is no " .. pathJoin(prefix, "bin", "swath") .. ": set SWATH_PREFIX to the folder of the installation"
end
if wrong and mode() == "load" then
  -- `module refresh` comes here, too, after a load that had another SWATH_PREFIX: it changes no variable and shows no message.
  if loaded then LmodMessage(wrong) else LmodError(wrong) end
end

conflict("swath")
setenv("SWATH_MODULE_PREFIX", prefix)
prepend_path("PATH", pathJoin(prefix, "bin"))
prepend_path("JUPYTER_PATH", pathJoin(prefix, "share", "jupyter"))
-- No MANPATH: there are no pages of Swath's, and a list without an empty part would hide those of the system.

-- Data sets and weights that everybody reads, where the administrator has mirrored them beside the installation, and the user
-- has not named a mirror.
local mirror = pathJoin(prefix, "mirror")
if unloads then
  mirror = variable("SWATH_MODULE_MIRROR")
elseif variable("SWATH_MIRROR") or not isDir(mirror) then
  mirror = nil
end
if mirror then
  setenv("SWATH_MODULE_MIRROR", mirror)
  if not unloads or variable("SWATH_MIRROR") == mirror then
    setenv("SWATH_MIRROR", mirror)
  end
end
