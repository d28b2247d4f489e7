/* python.exe: Windows' Python itself is in its library. */
#include <windows.h>

int wmain(int count, wchar_t **words) {
  HMODULE library = LoadLibraryW(PYTHON_DLL);
  if (!library) return 99;
  int (*run)(int, wchar_t **) = (void *)GetProcAddress(library, "Py_Main");
  return run(count, words);
}
