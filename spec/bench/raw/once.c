/* once.c URL — a process that makes one call: what starting costs at least. */
#include <curl/curl.h>

static size_t ignore(char *data, size_t size, size_t count, void *unused) {
  (void)data;
  (void)unused;
  return size * count;
}

int main(int argc, char **argv) {
  CURL *easy;
  CURLcode code;
  if (argc < 2) return 2;
  easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
  code = curl_easy_perform(easy);
  curl_easy_cleanup(easy);
  curl_global_cleanup();
  return code == CURLE_OK ? 0 : 1;
}
