-- Swath as a module of Lmod. One folder holds it, for all users: see docs/guide/cluster-admin.md.
--
--   module use /path/of/hpc/modulefiles
--   module load swath
--
-- SWATH_PREFIX, when it is set as the module is loaded, names another folder than the one below.

local version = myModuleVersion()
local prefix = os.getenv("SWATH_PREFIX") or pathJoin("/apps/swath", version)

help([[
Swath: a Jupyter kernel in Rust for geospatial deep learning, and the command `swath`.

  swath doctor                     what is missing on this machine
  swath notebooks tutorials        the tutorials, to be opened in JupyterLab
  swath submit predict ...         jobs of Slurm
]])

whatis("Name: swath")
whatis("Version: " .. version)
whatis("Description: Jupyter kernel in Rust for geospatial deep learning")

if mode() == "load" and not isFile(pathJoin(prefix, "bin", "swath")) then
  LmodError("there is no " .. pathJoin(prefix, "bin", "swath") .. ": set SWATH_PREFIX to the folder of the installation")
end

conflict("swath")
prepend_path("PATH", pathJoin(prefix, "bin"))
prepend_path("JUPYTER_PATH", pathJoin(prefix, "share", "jupyter"))
prepend_path("MANPATH", pathJoin(prefix, "share", "man"))

-- Data sets and weights that everybody reads, where the administrator has mirrored them beside the installation.
local mirror = pathJoin(prefix, "mirror")
if isDir(mirror) then
  setenv("SWATH_MIRROR", mirror)
end
