#include <stdio.h>

int main(void)
{
	puts("podwire");
	return 0;
}
