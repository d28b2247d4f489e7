/* A library that only passes on: python3.dll, the part of Python that is the same in all its versions. */
int __stdcall DllMain(void *library, int reason, void *reserved) { return 1; }
