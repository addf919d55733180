/* A web server of one page, for an image of one file: every request gets the same answer. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char page[] = "<!doctype html>\n<title>argosy</title>\n<h1>It works: one file in an image, and no other.</h1>\n";

/* Process 1 of a container gets no signal that it has no handler for. */
static void end(int number)
{
    (void)number;
    _exit(0);
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

    signal(SIGTERM, end);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) {
        perror("listen on port 8080");
        return 1;
    }
    for (;;) {
        char request[4096], answer[512];
        ssize_t got;
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        got = read(client, request, sizeof request - 1);
        if (got > 0) {
            request[got] = 0;
            printf("%.*s\n", (int)strcspn(request, "\r\n"), request);
            fflush(stdout);
            got = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                           sizeof page - 1, page);
            if (write(client, answer, got) < 0)
                perror("write");
        }
        close(client);
    }
}
