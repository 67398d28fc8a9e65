"""GDALPolygonize on a class map, by the GDAL library that is named: time and peak memory, beside `benches/maps.rs`.

    python benches/peers/polygonize.py MAP.tif OUT.gpkg [LIBGDAL.so]

Without a library it is that of pyogrio's wheel. `SWATH_BENCH_KEEP=FOLDER` makes `maps.rs` leave its map in the folder.
"""

import ctypes
import glob
import os
import sys
import time


def gdal(path):
    library = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    for name in ("GDALOpen", "GDALGetRasterBand", "GDALGetDriverByName", "GDALCreate", "GDALDatasetCreateLayer",
                 "OGR_Fld_Create", "GDALGetProjectionRef", "OSRNewSpatialReference", "GDALGetSpatialRef"):
        getattr(library, name).restype = ctypes.c_void_p
    library.GDALVersionInfo.restype = ctypes.c_char_p
    library.OGR_L_GetFeatureCount.restype = ctypes.c_longlong
    library.GDALSetCacheMax64(ctypes.c_longlong(192 << 20))
    library.GDALAllRegister()
    return library


def main():
    source, target = sys.argv[1].encode(), sys.argv[2].encode()
    if len(sys.argv) > 3:
        path = sys.argv[3]
    else:
        import pyogrio

        path = glob.glob(os.path.join(os.path.dirname(pyogrio.__file__), "..", "pyogrio.libs", "libgdal*"))[0]
    library, pointer = gdal(path), ctypes.c_void_p
    began = time.time()
    raster = pointer(library.GDALOpen(source, 0))
    band = pointer(library.GDALGetRasterBand(raster, 1))
    driver = {".gpkg": b"GPKG", ".fgb": b"FlatGeobuf"}[os.path.splitext(sys.argv[2])[1]]
    file = pointer(library.GDALCreate(pointer(library.GDALGetDriverByName(driver)), target, 0, 0, 0, 0, None))
    system = pointer(library.GDALGetSpatialRef(raster))
    layer = pointer(library.GDALDatasetCreateLayer(file, b"labels", system, 3, None))
    field = pointer(library.OGR_Fld_Create(b"label", 0))
    library.OGR_L_CreateField(layer, field, 1)
    if driver == b"GPKG":
        library.GDALDatasetStartTransaction(file, 0)
    failed = library.GDALPolygonize(band, band, layer, 0, None, None, None)
    if driver == b"GPKG":
        library.GDALDatasetCommitTransaction(file)
    count = library.OGR_L_GetFeatureCount(layer, 1)
    library.GDALClose(file)
    with open("/proc/self/status") as status:
        peak = next(line.split(":")[1].strip() for line in status if line.startswith("VmHWM"))
    version = library.GDALVersionInfo(b"RELEASE_NAME").decode()
    print(f"GDAL {version}, {os.path.basename(sys.argv[2])}: {time.time() - began:.1f} s, peak {peak}, {count} polygons, failed {failed}")


main()
