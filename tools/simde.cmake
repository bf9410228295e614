# Read by CMake through CMAKE_TOOLCHAIN_FILE (see .cargo/config.toml). It chooses no compiler: it only says where the
# simde headers already are, so that FetchContent does not download them.
foreach(dir /usr/include /usr/local/include /opt/homebrew/include)
  if(EXISTS "${dir}/simde/wasm/simd128.h")
    set(FETCHCONTENT_SOURCE_DIR_SIMDE "${dir}" CACHE PATH "folder that holds simde/" FORCE)
    break()
  endif()
endforeach()
if(NOT DEFINED FETCHCONTENT_SOURCE_DIR_SIMDE)
  message(FATAL_ERROR "simde headers not found: install libsimde-dev (Debian) or simde (Homebrew)")
endif()
